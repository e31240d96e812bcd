import unittest

from tally import tally


class TallyTest(unittest.TestCase):
    def test_case_does_not_matter(self):
        self.assertEqual(tally(["One one", "two"]), {"one": 2, "two": 1})

    def test_digits_and_punctuation_are_no_words(self):
        self.assertEqual(tally(["3.14, e-mail!"]), {"e": 1, "mail": 1})


if __name__ == "__main__":
    unittest.main()

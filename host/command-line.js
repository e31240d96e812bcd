/**
 * A word as every POSIX shell reads it back: in single quotes, whatever it holds.
 *
 * @param {string} word
 */
export function quote(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A command line to copy: only the words that need quotes have them.
 *
 * @param {readonly string[]} words
 */
export function commandLine(words) {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word))).join(" ");
}

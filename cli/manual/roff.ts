// Just as much of the man(7) macros as a page needs, with every character that roff would take for
// its own escaped.

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\(rs",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

/** One line of text as roff prints it, whatever it holds. */
export function escaped(text: string): string {
  const line = text
    .replace(/\s+/g, " ")
    .replace(/[\\\-'`^~"]/g, (char) => ESCAPES[char] ?? char)
    .replace(/[^\x20-\x7e]/gu, (char) => {
      const code = char.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, "0")}]`;
    });
  // A dot there begins a request.
  return line.startsWith(".") ? `\\&${line}` : line;
}

/** The same for prose, in which backticks mark what is typed; one sentence a line, and none long. */
export function prose(text: string): string {
  const words = text.split(/(`[^`]+`)/).map((part) => {
    const typed = /^`([^`]+)`$/.exec(part)?.[1];
    return typed === undefined ? inline(part) : bold(typed);
  });
  const lines: string[] = [];
  for (const sentence of words
    .join("")
    .trim()
    .split(/(?<=[.?!:]) (?=\S)/)) {
    let line = "";
    for (const word of sentence.split(" ")) {
      if (line !== "" && line.length + word.length >= LONGEST) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines.map((line) => (line.startsWith(".") ? `\\&${line}` : line)).join("\n");
}

const LONGEST = 78;

function inline(text: string): string {
  return escaped(text).replace(/^\\&/, "");
}

function bold(text: string): string {
  return `\\fB${inline(text)}\\fR`;
}

/** Builds a page from top to bottom. */
export class Page {
  readonly #lines: string[] = [];

  /** The head of the page. */
  title(name: string, section: number, date: string, source: string, manual: string): this {
    const words = [name, String(section)].map(argument);
    const rest = [source, manual].map(argument);
    // The hyphens of a date are read as they are.
    const when = /^[\d-]*$/.test(date) ? `"${date}"` : argument(date);
    return this.#add(`.TH ${[...words, when, ...rest].join(" ")}`, ".ad l", ".nh");
  }

  /** A line that only who reads the source sees. */
  comment(text: string): this {
    return this.#add(`.\\" ${text.replace(/\s+/g, " ")}`);
  }

  section(heading: string): this {
    return this.#add(`.SH ${argument(heading)}`);
  }

  subsection(heading: string): this {
    return this.#add(`.SS ${argument(heading)}`);
  }

  /** A line that follows a heading or another line, as it is. */
  line(text: string): this {
    return this.#add(prose(text));
  }

  paragraph(text: string): this {
    return this.#add(".PP", prose(text));
  }

  /** A term and, indented below it, what it means. */
  item(term: string, meaning: string): this {
    const body = meaning === "" ? "\\&" : prose(meaning);
    return this.#add(".TP", bold(term), body);
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #add(...lines: string[]): this {
    this.#lines.push(...lines);
    return this;
  }
}

function argument(text: string): string {
  return `"${escaped(text)}"`;
}

/** For fish 3.1 or newer. */
export function fishScript(program: string): string {
  return `# Completion of repoman for fish.

function __repoman_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l answer (${fishQuote(program)} __complete $words "$current" </dev/null 2>/dev/null)
    set -l take $answer[1]
    set -e answer[1]
    switch "$take"
        case words
            string join -- \\n $answer
        case files directories
            set -l option (string match -r -- '^--[^=]+=' "$current")
            set -l path (string replace -r -- '^--[^=]+=' '' "$current")
            # Of a program that there is none of, fish completes files.
            set -l paths (complete -C "__repoman_no_such_program $path")
            test "$take" = directories; and set paths (string match -r -- '^[^\\t]*/(?:\\t.*)?$' $paths)
            for each in $paths
                printf '%s%s\\n' "$option" "$each"
            end
    end
end

complete -c repoman -f -a '(__repoman_complete)'
`;
}

function fishQuote(word: string): string {
  return `'${word.replace(/[\\']/g, "\\$&")}'`;
}

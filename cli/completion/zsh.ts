import { quote } from "../../host/command-line.js";

/** Both as a file \`_repoman\` in a folder of fpath, and as something to source after compinit. */
export function zshScript(program: string): string {
  return `#compdef repoman
# Completion of repoman for zsh.

_repoman() {
  local -a answer found
  local line value summary
  answer=("\${(@f)"$(${quote(program)} __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" \\
    </dev/null 2>/dev/null)"}")
  case $answer[1] in
    files | directories)
      [[ $PREFIX == --*=* ]] && compset -P '*='
      if [[ $answer[1] == files ]]; then _files; else _files -/; fi
      return
      ;;
    words) shift answer ;;
    *) return 1 ;;
  esac
  for line in "\${(@)answer}"; do
    value=\${line%%$'\\t'*}
    summary=\${line#*$'\\t'}
    [[ -n $value ]] || continue
    # _describe takes what follows a colon for the summary.
    value=\${value//\\\\/\\\\\\\\}
    value=\${value//:/\\\\:}
    found+=("$value\${summary:+:$summary}")
  done
  _describe -t repoman repoman found
}

# As an autoloaded file this runs at the first completion; sourced, it only takes its place.
if [[ $funcstack[1] == _repoman ]]; then
  _repoman "$@"
else
  compdef _repoman repoman
fi
`;
}

import { quote } from "../../host/command-line.js";

/** For bash 4.4 or newer; works with and without the package bash-completion. */
export function bashScript(program: string): string {
  return `# Completion of repoman for bash.

_repoman() {
  # Bash breaks words at = and : as well; here a word ends at a blank.
  local -a words=()
  local rest=\${COMP_LINE:0:COMP_POINT} gap word i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    gap=\${rest%%[![:space:]]*}
    rest=\${rest#"$gap"}
    word=\${COMP_WORDS[i]}
    ((i < COMP_CWORD)) || word=$rest
    rest=\${rest#"$word"}
    if ((i > 0)) && [[ -z $gap ]]; then
      words[\${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
  done

  # What readline puts in takes the place of what stands after the last such mark.
  local current=\${words[\${#words[@]} - 1]} kept= mark
  for mark in = :; do
    [[ $COMP_WORDBREAKS == *"$mark"* && $current == *"$mark"* ]] || continue
    gap=\${current%"\${current##*"$mark"}"}
    ((\${#gap} > \${#kept})) && kept=$gap
  done

  COMPREPLY=()
  local take value
  {
    IFS= read -r take
    case $take in
      files) compopt -o default ;;
      directories) compopt -o dirnames ;;
    esac
    while IFS=$'\\t' read -r value _; do
      [[ $value == "$current"* ]] || continue
      printf -v value %q "\${value#"$kept"}"
      COMPREPLY+=("$value")
    done
  } < <(${quote(program)} __complete "\${words[@]:1}" </dev/null 2>/dev/null)
}

complete -F _repoman repoman
`;
}

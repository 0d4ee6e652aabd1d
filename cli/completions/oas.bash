# Completion of oas for bash.
_oas_tables() { oas ls --json 2>/dev/null | sed -n 's/.*"name": "\([^"]*\)".*/\1/p'; }

_oas() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb= sub= places=0 word i
  local global='--folder --json --help'
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    case $word in
      --folder | -w | --where | -o | --output | --limit | --order | --tier | --dialect | --name | --with | --format | \
        --backend | --host | --user | --store | --location | --grace | --role | --to) ((++i)) ;;
      -*) ;;
      *)
        if [[ -z $verb ]]; then verb=$word
        elif [[ ($verb == config || $verb == store) && -z $sub ]]; then sub=$word
        else ((++places)); fi ;;
    esac
  done
  case $previous in
    --folder | --location) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    -o | --output) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --tier) mapfile -t COMPREPLY < <(compgen -W 'manual lookup imported computed part' -- "$current"); return ;;
    --dialect | --backend) mapfile -t COMPREPLY < <(compgen -W 'sqlite postgresql mysql' -- "$current"); return ;;
    --role) mapfile -t COMPREPLY < <(compgen -W 'reader writer declarer collector' -- "$current"); return ;;
    --format) mapfile -t COMPREPLY < <(compgen -W 'json csv' -- "$current"); return ;;
    -w | --where | --limit | --order | --name | --with | --host | --user | --store | --grace | --to) return ;;
  esac
  local words= files=
  case "$verb${sub:+ $sub}" in
    '') words='config init ls describe declare define show get put rm inspect gc fsck store --version' ;;
    config) words='init show check' ;;
    'config init') words='--backend --name --host --user --store --location' ;;
    init) words='--role --to' ;;
    ls | describe) ((places == 0)) && words=$(_oas_tables) ;;
    declare) words='--tier'; files=1 ;;
    define) words='--dialect --name --tier --with'; files=1 ;;
    show) words='--where --limit --order --load --typed'; ((places == 0)) && words+=" $(_oas_tables)" ;;
    get) words='--where --output --force --npy --raw --typed'; ((places == 0)) && words+=" $(_oas_tables)" ;;
    put)
      words='--format --typed --skip-duplicates --replace --ignore-extra'
      if ((places == 0)); then words+=" $(_oas_tables)"; else files=1; fi ;;
    rm) words='--where --all --yes'; ((places == 0)) && words+=" $(_oas_tables)" ;;
    inspect) words='--typed'; files=1 ;;
    fsck) words='--deep --repair --grace' ;;
    store) words='check ls cp' ;;
    'store ls') words='--limit' ;;
    'store cp') words='--force'; files=1 ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words $global" -- "$current")
  [[ -n $files && $current != -* ]] && mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
}
complete -o filenames -F _oas oas

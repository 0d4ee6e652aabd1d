# Completion of oas for fish.
function __oas_tables
    oas ls --json 2>/dev/null | string replace -rf '.*"name": "([^"]*)".*' '$1'
end
function __oas_verb
    __fish_seen_subcommand_from $argv
end

complete -c oas -f
complete -c oas -l folder -r -a '(__fish_complete_directories)' -d 'Where settings are looked for'
complete -c oas -l json -d 'One JSON object a line'
complete -c oas -l help -d Help
complete -c oas -n __fish_use_subcommand -l version -d Version
complete -c oas -n __fish_use_subcommand -a config -d Settings
complete -c oas -n __fish_use_subcommand -a init -d 'Make a schema ready, print grants'
complete -c oas -n __fish_use_subcommand -a ls -d 'Schemas, tables, rows'
complete -c oas -n __fish_use_subcommand -a describe -d 'The definition of a table'
complete -c oas -n __fish_use_subcommand -a declare -d 'Declare a table'
complete -c oas -n __fish_use_subcommand -a define -d 'The statements of a definition'
complete -c oas -n __fish_use_subcommand -a show -d 'Rows as a table'
complete -c oas -n __fish_use_subcommand -a get -d 'One value or object'
complete -c oas -n __fish_use_subcommand -a put -d 'Insert rows'
complete -c oas -n __fish_use_subcommand -a rm -d 'Remove rows'
complete -c oas -n __fish_use_subcommand -a inspect -d 'What is in a file'
complete -c oas -n __fish_use_subcommand -a gc -d 'Remove what nothing needs'
complete -c oas -n __fish_use_subcommand -a fsck -d 'Compare rows with stores'
complete -c oas -n __fish_use_subcommand -a store -d 'Look after stores'

complete -c oas -n '__oas_verb config' -a 'init show check'
complete -c oas -n '__oas_verb config' -l backend -x -a 'sqlite postgresql mysql'
for option in name host user store
    complete -c oas -n '__oas_verb config' -l $option -x
end
complete -c oas -n '__oas_verb config' -l location -r -a '(__fish_complete_directories)'
complete -c oas -n '__oas_verb init' -l role -x -a 'reader writer declarer collector'
complete -c oas -n '__oas_verb init' -l to -x
complete -c oas -n '__oas_verb ls describe show get put rm' -a '(__oas_tables)'
complete -c oas -n '__oas_verb declare define put inspect; or __oas_verb store' -F
complete -c oas -n '__oas_verb declare define' -l tier -x -a 'manual lookup imported computed part'
complete -c oas -n '__oas_verb define' -l dialect -x -a 'sqlite postgresql mysql'
complete -c oas -n '__oas_verb define' -l name -x
complete -c oas -n '__oas_verb define' -l with -r -d '[TIER:]Name=FILE'
complete -c oas -n '__oas_verb show get rm' -s w -l where -x -d Condition
complete -c oas -n '__oas_verb show get put inspect' -l typed -d 'Lossless notation'
complete -c oas -n '__oas_verb show' -l limit -x
complete -c oas -n '__oas_verb show' -l order -x
complete -c oas -n '__oas_verb show' -l load -d 'Fetch references'
complete -c oas -n '__oas_verb get' -s o -l output -r -F
complete -c oas -n '__oas_verb get' -l force
complete -c oas -n '__oas_verb get' -l npy
complete -c oas -n '__oas_verb get' -l raw
complete -c oas -n '__oas_verb put' -l format -x -a 'json csv'
complete -c oas -n '__oas_verb put' -l skip-duplicates
complete -c oas -n '__oas_verb put' -l replace
complete -c oas -n '__oas_verb put' -l ignore-extra
complete -c oas -n '__oas_verb rm' -l all
complete -c oas -n '__oas_verb rm' -l yes
complete -c oas -n '__oas_verb fsck' -l deep
complete -c oas -n '__oas_verb fsck' -l repair
complete -c oas -n '__oas_verb fsck' -l grace -x
complete -c oas -n '__oas_verb store' -a 'check ls cp'
complete -c oas -n '__oas_verb store' -l limit -x
complete -c oas -n '__oas_verb store' -l force

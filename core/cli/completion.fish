# Completion of bioft for fish: as bioft.fish in ~/.config/fish/completions, or `bioft completion fish | source`.
function __bioft_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        if test (string split -m1 \t -- $line)[1] = :files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c bioft -f -a '(__bioft_complete)'

#compdef bioft
# Completion of bioft for zsh: as _bioft in a folder of $fpath, or `source <(bioft completion zsh)`.
_bioft() {
    local line name
    local -a found
    for line in ${(f)"$("$words[1]" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
        name=${line%%$'\t'*}
        if [[ $name == :files ]]; then
            _files
        else
            found+=("${name//:/\\:}:${line#*$'\t'}")
        fi
    done
    (( $#found )) && _describe bioft found
    return 0
}
if [[ $funcstack[1] == _bioft ]]; then _bioft "$@"; else compdef _bioft bioft; fi

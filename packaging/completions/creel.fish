# fish completion for creel(8). Commands and options are read from the help of the program itself, so that nothing here
# has to follow when they change.

# "name<tab>summary" of each command.
function __creel_commands
    creel help | string match -rg '^   ([a-z]+)(?:, h)?  +([^-].*)' | while read -l name
        read -l summary
        printf '%s\t%s\n' $name $summary
    end
end

# "--name<tab>help" of each option of the command $argv, or of the program.
function __creel_options
    for line in (creel help $argv 2>/dev/null | string match -rg '^   (-.*)')
        set -l parts (string split -m 1 -- '  ' $line)
        for form in (string split ', ' -- $parts[1])
            printf '%s\t%s\n' (string split ' ' -- $form)[1] (string trim -- $parts[2])
        end
    end
end

# The command on the line, if there is one; fails when it is yet to come.
function __creel_command
    set -l known (__creel_commands | string split -f 1 \t)
    for word in (commandline -opc)[2..-1]
        if contains -- $word $known
            echo $word
            return 0
        end
    end
    return 1
end

function __creel_complete
    set -l command (__creel_command)
    if string match -q -- '-*' (commandline -ct)
        __creel_options $command
    else if test -z "$command" -o "$command" = help
        __creel_commands
    else if contains -- $command delete exec kill pause ps resume start state update
        creel list --quiet 2>/dev/null
    end
end

complete -c creel -f -a '(__creel_complete)'
complete -c creel -n 'string match -qr -- "^(-b|-f|-p|-r|--(bundle|config|log|root|process|resources|pid-file|console-socket|pidfd-socket))\$" (commandline -opc)[-1]' -F

# bash completion for creel(8). Commands and options are read from the help of the program itself, so that nothing here
# has to follow when they change.

# Prints what the program's help, on stdin, says about options: one form a line, "--bundle DIR" and "-b DIR".
_creel_forms()
{
	sed -n '/OPTIONS:$/,$ s/^   \(-.*\)/\1/p' | sed 's/  .*//; s/, -/\n-/g'
}

# The name of an option's value; nothing for a switch.
_creel_value()
{
	local help=$1 option=$2

	_creel_forms <<< "$help" | sed -n "s/^$option //p"
}

_creel_commands()
{
	creel help | sed -n '/^COMMANDS:/,/^$/ s/^   \([a-z]*\).*/\1/p'
}

_creel_words()
{
	local command=$1 operands=$2
	shift 2

	case $command:$operands in
	: | help:0) _creel_commands ;;
	delete:0 | exec:0 | kill:0 | pause:0 | ps:0 | resume:0 | start:0 | state:0 | update:0) creel "$@" list --quiet 2> /dev/null ;;
	kill:1) compgen -A signal | sed -n 's/^SIG//p' ;;
	esac
}

_creel()
{
	local word=${COMP_WORDS[COMP_CWORD]} help command operands="" value="" i
	local -a root=()
	help=$(creel help)

	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ $value ]]; then
			value=
		elif [[ ${COMP_WORDS[i]} == -* ]]; then
			value=$(_creel_value "$help" "${COMP_WORDS[i]}")
			[[ ${COMP_WORDS[i]} == --root ]] && root=(--root "${COMP_WORDS[i + 1]}")
		elif [[ ! $command ]]; then
			command=${COMP_WORDS[i]} operands=0
			help=$(creel help "$command" 2> /dev/null)
		else
			((operands++))
		fi
	done

	case $value in
	FILE | PATH) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	DIR) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
	FORMAT) mapfile -t COMPREPLY < <(compgen -W "$([[ $command ]] && echo table || echo text) json" -- "$word") ;;
	LEVEL) mapfile -t COMPREPLY < <(compgen -W "error warning info debug" -- "$word") ;;
	MANAGER) mapfile -t COMPREPLY < <(compgen -W "cgroupfs systemd disabled" -- "$word") ;;
	MODE) mapfile -t COMPREPLY < <(compgen -W "auto true false" -- "$word") ;;
	"") if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_creel_forms <<< "$help" | sed 's/ .*//')" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(_creel_words "$command" "$operands" "${root[@]}")" -- "$word")
	fi ;;
	esac
}

complete -F _creel creel

# bash completion for creel(8). Commands, options and operands are read from the help of the program itself, so that
# nothing here has to follow when they change.

# The options in the help text on stdin, one form a line: "--bundle DIR|directory of the bundle …".
_creel_forms()
{
	sed -En '/OPTIONS:$/,$ s/^   (-[^ ]+( [^ ]+)*)  +(.*)/\1|\3/p' | sed -E 's/^([^|]*), (-.[^|]*)\|(.*)/\1|\3\n\2|\3/'
}

# What may stand behind an option: "DIR", or the words that its text offers; nothing for a switch.
_creel_value()
{
	local help=$1 option=${2#-}

	_creel_forms <<< "$help" | sed -En "s/^--?${option#-} ([^|]*)\|/\1|/p" |
		sed -E 's/.*(\||: )(([a-z]+, )*[a-z]+ or [a-z]+)( \(.*)?$/\2/; s/\|.*//; s/,? or |, / /g'
}

# The operands of the command whose help is on stdin, a line each: "<container-id>".
_creel_operands()
{
	sed -n '/^USAGE:/,/^$/ s/.* options\] //p' | grep -o '[[<][^]>]*[]>]'
}

_creel_commands()
{
	"$creel" help | sed -n '/^COMMANDS:/,/^$/ s/^   \([a-z]*\).*/\1/p'
}

# What an operand may be.
_creel_operand()
{
	case $1 in
	*container-id*) [[ $command == @(create|restore|run) ]] || "$creel" "${root[@]}" list --quiet 2> /dev/null ;;
	*signal*) compgen -A signal | sed -n 's/^SIG//p' ;;
	"[command]") _creel_commands ;;
	esac
}

_creel()
{
	local creel=${COMP_WORDS[0]/#\~/$HOME} cur=${COMP_WORDS[COMP_CWORD]}
	local help command="" option="" value="" count=0 ended="" i word
	local -a words=() operands=() root=()
	help=$("$creel" help)

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == = && $value ]]; then
			continue
		elif [[ $value ]]; then
			[[ $option == -?(-)root && ! $command ]] && root=(--root "$word")
			value=
		elif [[ $word == -- ]]; then
			ended=y
		elif [[ $word == -* && ! $ended ]]; then
			option=$word
			value=$(_creel_value "$help" "$word")
		elif [[ ! $command ]]; then
			command=$word ended=
			help=$("$creel" help "$command" 2> /dev/null)
			mapfile -t operands < <(_creel_operands <<< "$help")
		else
			((++count))
			# What follows the id belongs to somebody else where the command has more operands.
			((${#operands[@]} > 1)) && ended=y
		fi
	done
	[[ $cur == = ]] && cur=

	case $value in
	FILE | PATH)
		compopt -o filenames 2> /dev/null
		mapfile -t words < <(compgen -f -- "$cur") ;;
	DIR)
		compopt -o filenames 2> /dev/null
		mapfile -t words < <(compgen -d -- "$cur") ;;
	?*) mapfile -t words < <(compgen -W "${value//[A-Z]*/}" -- "$cur") ;;
	"") if [[ $cur == -* && ! $ended ]]; then
		mapfile -t words < <(compgen -W "$(_creel_forms <<< "$help" | sed 's/[ |].*//')" -- "$cur")
	elif [[ ! $command ]]; then
		mapfile -t words < <(compgen -W "$(_creel_commands)" -- "$cur")
	else
		mapfile -t words < <(compgen -W "$(_creel_operand "${operands[count]}")" -- "$cur")
	fi ;;
	esac
	COMPREPLY=("${words[@]}")
}

complete -F _creel creel

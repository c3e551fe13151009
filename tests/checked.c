/*
 * How the sanitizers behave in creel-checked, the program that tests/run takes in place of creel to
 * have every command looked at. It stands here because the program clears its environment, and the
 * options cannot come from there.
 *
 * Whoever finds something ends at once with a status that nothing else has; what it found is on
 * its standard error, a container's init's too. Leaks are not looked for: memory is an arena, and
 * the search traces its own process, which forbids that.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "exitcode=99:detect_leaks=0:detect_stack_use_after_return=1:handle_segv=1"
	       ":check_initialization_order=1:strict_string_checks=1";
}

const char *__ubsan_default_options(void)
{
	return "exitcode=99:print_stacktrace=1";
}

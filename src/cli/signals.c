/*
 * Signals by name: see signals.h. No names of the C library are asked: each libc has its own.
 */
#include "cli/signals.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define REAL_TIME_MIN 34
#define REAL_TIME_MAX 64

static const struct {
	char name[7];
	uint8_t number;
} signals[] = {
	{"HUP", SIGHUP},       {"INT", SIGINT},     {"QUIT", SIGQUIT},  {"ILL", SIGILL},
	{"TRAP", SIGTRAP},     {"ABRT", SIGABRT},   {"IOT", SIGABRT},   {"BUS", SIGBUS},
	{"FPE", SIGFPE},       {"KILL", SIGKILL},   {"USR1", SIGUSR1},  {"SEGV", SIGSEGV},
	{"USR2", SIGUSR2},     {"PIPE", SIGPIPE},   {"ALRM", SIGALRM},  {"TERM", SIGTERM},
	{"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},   {"CLD", SIGCHLD},   {"CONT", SIGCONT},
	{"STOP", SIGSTOP},     {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN},  {"TTOU", SIGTTOU},
	{"URG", SIGURG},       {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ},  {"VTALRM", SIGVTALRM},
	{"PROF", SIGPROF},     {"WINCH", SIGWINCH}, {"IO", SIGIO},      {"POLL", SIGIO},
	{"PWR", SIGPWR},       {"SYS", SIGSYS},     {"UNUSED", SIGSYS},
};

static bool real_time_signal(const char *name, int *ret)
{
	bool from_max = !strncasecmp(name, "RTMAX", 5);
	uint32_t offset = 0;

	if (!from_max && strncasecmp(name, "RTMIN", 5))
		return false;
	if (name[5] && (name[5] != (from_max ? '-' : '+') || !str_to_u32(name + 6, &offset)))
		return false;
	if (offset > REAL_TIME_MAX - REAL_TIME_MIN)
		return false;
	*ret = from_max ? REAL_TIME_MAX - (int)offset : REAL_TIME_MIN + (int)offset;
	return true;
}

bool signal_parse(const char *text, int *ret)
{
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	uint32_t number;

	if (str_to_u32(text, &number)) {
		if (number <= REAL_TIME_MAX)
			*ret = (int)number;
		return number <= REAL_TIME_MAX;
	}
	for (size_t i = 0; i < array_len(signals); i++) {
		if (str_equal_nocase(name, signals[i].name)) {
			*ret = signals[i].number;
			return true;
		}
	}
	return real_time_signal(name, ret);
}

/*
 * The grammar of the command line: which words give which call of the library, and what is said
 * about wrong ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli_call.h"
#include "fake_creel.h"

static int reset(void **state)
{
	(void)state;
	fake_reset();
	call_environment = (struct environment){0};
	return 0;
}

/* The line must succeed and call the library so; the note of creel_protect is left out of notes. */
#define gives(line, notes) check_gives(line, notes, __LINE__)

static void check_gives(const char *line, const char *notes, int at)
{
	struct answer answer;
	const char *made;

	fake_reset();
	answer = call_line(line);
	made = strchr(fake_notes, '\n');
	if (answer.status || !made || strcmp(made + 1, notes))
		fail_msg("line %d: %s\nstatus %d\n%s%s", at, line, answer.status, fake_notes,
			 answer.err);
}

/* The line must fail with status and this text in its log line, and never reach the library. */
#define is_refused(line, status, text) check_refused(line, "", status, text, __LINE__)

/* The same, once it has been seen that the container c1 is there. */
#define is_refused_for_c1(line, text) check_refused(line, "state c1\n", 1, text, __LINE__)

static void check_refused(const char *line, const char *notes, int status, const char *text, int at)
{
	struct answer answer;
	const char *made;

	fake_reset();
	answer = call_line(line);
	made = strchr(fake_notes, '\n');
	if (answer.status != status || !strstr(answer.err, text) ||
	    strcmp(made ? made + 1 : "", notes))
		fail_msg("line %d: %s\nstatus %d\n%s%s", at, line, answer.status, fake_notes,
			 answer.err);
}

static void options_are_written_in_many_ways(void **state)
{
	(void)state;
	gives("creel create --bundle /b c1", "create c1 bundle=/b\n");
	gives("creel create --bundle=/b c1", "create c1 bundle=/b\n");
	gives("creel create -bundle /b c1", "create c1 bundle=/b\n");
	gives("creel create -bundle=/b c1", "create c1 bundle=/b\n");
	gives("creel create -b /b c1", "create c1 bundle=/b\n");
	gives("creel create --b=/b c1", "create c1 bundle=/b\n");
	gives("creel create -b a=b c1", "create c1 bundle=a=b\n");
	gives("creel create --bundle= c1", "create c1\n");
	gives("creel create --bundle '' c1", "create c1\n");
	gives("creel --log-format '' --log= exec -u '' c1 id", "exec c1 arg=id\n");
	gives("creel create --bundle -x c1", "create c1 bundle=-x\n");
}

static void switches_take_a_value_only_behind_an_equals_sign(void **state)
{
	(void)state;
	gives("creel run --keep c1", "run c1 keep\n");
	gives("creel run --keep=true c1", "run c1 keep\n");
	gives("creel run -keep=T c1", "run c1 keep\n");
	gives("creel run --keep=0 c1", "run c1\n");
	gives("creel run --keep --keep=False c1", "run c1\n");
	is_refused("creel run --keep=yes c1", 1,
		   "invalid boolean value \\\"yes\\\" for -keep: parse error");
	is_refused("creel run --keep true c1", 1,
		   "creel: \\\"run\\\" requires exactly 1 argument(s)");
}

static void options_may_follow_operands(void **state)
{
	(void)state;
	gives("creel delete c1 -f", "delete c1 force\n");
	gives("creel run c1 -no-subreaper -b /b", "run c1 bundle=/b no_subreaper\n");
	gives("creel delete -- -f", "delete -f\n");
	gives("creel delete c1 --", "delete c1\n");
	gives("creel -- delete c1", "delete c1\n");
}

static void exec_kill_and_ps_stop_at_the_id(void **state)
{
	(void)state;
	gives("creel exec -t c1 ls -l --cwd /", "exec c1 arg=ls arg=-l arg=--cwd arg=/ terminal\n");
	gives("creel exec c1 -- true", "exec c1 arg=true\n");
	gives("creel exec -- c1 true -- x", "exec c1 arg=true arg=-- arg=x\n");
	gives("creel exec c1", "exec c1\n");
	gives("creel kill -a c1 9", "kill c1 9 all\n");
	is_refused_for_c1("creel kill c1 -a", "unknown signal \\\"-a\\\"");
	gives("creel ps -f json c1 -f", "ps c1\n");
	is_refused("creel delete -r c1 c2", 1, "requires exactly 1 argument(s)");
}

static void every_option_reaches_its_place(void **state)
{
	(void)state;
	gives("creel create --bundle B --config C --console-socket S --pidfd-socket P "
	      "--pid-file F --no-pivot --no-new-keyring --preserve-fds 3 c1",
	      "create c1 bundle=B config=C console_socket=S pidfd_socket=P pid_file=F no_pivot "
	      "no_new_keyring preserve_fds=3\n");
	gives("creel run -d --keep --no-subreaper c1", "run c1 no_subreaper detach keep\n");
	gives("creel exec -p J --cwd W -e A=1 -e B=2,3 -t -u 7:8 -g 9 -g 10 -d --pid-file F "
	      "--process-label L --apparmor P --no-new-privs -c CAP_KILL --preserve-fds 2 "
	      "--cgroup cpu:/x --ignore-paused --console-socket S --pidfd-socket Q c1",
	      "exec c1 env=A=1 env=B=2,3 cap=CAP_KILL cgroup=cpu:/x process=J cwd=W apparmor=P "
	      "process_label=L console_socket=S pidfd_socket=Q pid_file=F terminal detach "
	      "no_new_privs ignore_paused uid=7 gid=8 group=9 group=10 preserve_fds=2\n");
	gives("creel explain", "explain example\n");
	gives("creel explain -b B c1", "explain c1 bundle=B\n");
	gives("creel start c1", "start c1\n");
	gives("creel features", "features\n");
	gives("creel kill -a --regex ^w HUP", "match ^w\nkill web-1 1 all\nkill web-2 1 all\n");
	gives("creel delete w$ -f -r", "match w$\ndelete web-1 force\ndelete web-2 force\n");
	gives("creel pause c1", "pause c1\n");
	gives("creel resume c1", "resume c1\n");
}

static void what_engines_call_is_accepted(void **state)
{
	(void)state;
	gives("creel --root /r --systemd-cgroup --root /r --systemd-cgroup create --bundle B "
	      "--pid-file F c1",
	      "create c1 bundle=B pid_file=F\n");
	assert_int_equal(fake_options.cgroup_manager, CREEL_CGROUP_SYSTEMD);
	gives("creel create --detach c1", "create c1 detach\n");
	gives("creel --criu /x state c1", "state c1\n");
	gives("creel --cgroup-manager disabled delete --force c1", "delete c1 force\n");
	assert_int_equal(fake_options.cgroup_manager, CREEL_CGROUP_DISABLED);
	gives("creel exec -d --tty --pid-file=F c1 top",
	      "exec c1 arg=top pid_file=F terminal detach\n");
}

static void wrong_words_are_told_as_runc_tells_them(void **state)
{
	(void)state;
	is_refused("creel state -bogus c1", 1, "msg=\"flag provided but not defined: -bogus\"");
	is_refused("creel state --bogus=1 c1", 1,
		   "Incorrect Usage: flag provided but not defined: -bogus\n\n");
	is_refused("creel list -f", 1, "msg=\"flag needs an argument: -f\"");
	is_refused("creel --root", 1, "msg=\"flag needs an argument: -root\"");
	is_refused("creel list --=x", 1, "bad flag syntax: --=x");
	is_refused("creel list ---q", 1, "bad flag syntax: ---q");
	is_refused("creel run -dt c1", 1, "flag provided but not defined: -dt");
	is_refused("creel run --preserve-fds x c1", 1,
		   "invalid value \\\"x\\\" for flag -preserve-fds: parse error");
	is_refused("creel run --preserve-fds -1 c1", 1, "for flag -preserve-fds: parse error");
	is_refused("creel nosuch c1", 3, "No help topic for 'nosuch'");
	is_refused("creel - list", 3, "No help topic for '-'");
	is_refused("creel run", 1, "creel: \\\"run\\\" requires exactly 1 argument(s)");
	is_refused("/usr/bin/creel exec", 1,
		   "/usr/bin/creel: \\\"exec\\\" requires a minimum of 1 argument(s)");
	is_refused("creel kill a 9 b", 1,
		   "creel: \\\"kill\\\" requires a maximum of 2 argument(s)");
	is_refused("creel list -", 1, "creel: \\\"list\\\" requires exactly 0 argument(s)");
}

static void wrong_words_are_answered_with_what_may_be_meant(void **state)
{
	(void)state;
	is_refused("creel creat c1", 3, "; hint: did you mean create?");
	is_refused("creel run --bundel b c1", 1, "; hint: did you mean --bundle?");
	is_refused("creel run --debug c1", 1, "; hint: --debug is a global option");
	is_refused("creel --bundle b run c1", 1, "; hint: --bundle is an option of create");
	assert_null(strstr(call_line("creel xyzzy").err, "hint"));
}

static void values_of_global_options_are_checked(void **state)
{
	(void)state;
	is_refused("creel --log-format zz state c1", 1, "msg=\"invalid log-format: zz\"");
	is_refused("creel --log-level zz state c1", 1, "invalid log-level: zz");
	is_refused("creel --cgroup-manager zz state c1", 1, "invalid cgroup-manager: zz");
	is_refused("creel --rootless zz state c1", 1, "invalid rootless: zz");
	is_refused("creel --root / state c1", 1, "Option --root argument should not be set to /");
	is_refused("creel --root /a/.. state c1", 1,
		   "Option --root argument should not be set to /");
	is_refused("creel list -f yaml", 1, "msg=\"invalid format option\"");
	gives("creel --rootless=T state c1", "state c1\n");
	assert_int_equal(fake_options.rootless, CREEL_ROOTLESS_TRUE);
	gives("creel --rootless false state c1", "state c1\n");
	assert_int_equal(fake_options.rootless, CREEL_ROOTLESS_FALSE);
	gives("creel --debug state c1", "state c1\n");
	assert_int_equal(fake_options.log_level, CREEL_LOG_DEBUG);
	gives("creel --log-level info state c1", "state c1\n");
	assert_int_equal(fake_options.log_level, CREEL_LOG_INFO);
}

static void signals_have_numbers_and_names(void **state)
{
	(void)state;
	gives("creel kill c1", "kill c1 15\n");
	gives("creel kill c1 9", "kill c1 9\n");
	gives("creel kill c1 0", "kill c1 0\n");
	gives("creel kill c1 64", "kill c1 64\n");
	gives("creel kill c1 KILL", "kill c1 9\n");
	gives("creel kill c1 SIGKILL", "kill c1 9\n");
	gives("creel kill c1 sigHup", "kill c1 1\n");
	gives("creel kill c1 RTMIN", "kill c1 34\n");
	gives("creel kill c1 SIGRTMIN+3", "kill c1 37\n");
	gives("creel kill c1 rtmax-1", "kill c1 63\n");
	is_refused_for_c1("creel kill c1 FOO", "unknown signal \\\"FOO\\\"");
	is_refused_for_c1("creel kill c1 65", "unknown signal \\\"65\\\"");
	is_refused_for_c1("creel kill c1 +9", "unknown signal");
	is_refused_for_c1("creel kill c1 RTMIN+31", "unknown signal");
	is_refused_for_c1("creel kill c1 RTMIN-1", "unknown signal");
	is_refused_for_c1("creel kill c1 RTMAX-31", "unknown signal");
	is_refused_for_c1("creel kill c1 SIG", "unknown signal");
}

static void users_are_numbers(void **state)
{
	(void)state;
	gives("creel exec -u 0 c1 id", "exec c1 arg=id uid=0\n");
	gives("creel exec -u 1:0 c1 id", "exec c1 arg=id uid=1 gid=0\n");
	is_refused("creel exec -u root c1 id", 255,
		   "exec failed: bad uid: \\\"root\\\" is not a number");
	is_refused("creel exec -u -1 c1 id", 255, "bad uid");
	is_refused("creel exec -u 1: c1 id", 255, "bad gid");
	is_refused("creel exec -u 1:2:3 c1 id", 255, "bad gid");
	is_refused("creel exec -u 4294967296 c1 id", 255, "bad uid");
	is_refused("creel exec -g x c1 id", 255, "bad gid");
}

static void events_come_at_intervals(void **state)
{
	(void)state;
	gives("creel events c1", "events c1 interval=0 taken\n");
	gives("creel events --stats --interval 1m30s c1",
	      "events c1 stats interval=90000000000 taken\n");
	is_refused("creel events --interval 0 c1", 1,
		   "msg=\"duration interval must be greater than 0\"");
	is_refused("creel events --interval -1s c1", 1, "interval must be greater than 0");
	is_refused("creel events --interval 5 c1", 1,
		   "invalid value \\\"5\\\" for flag -interval: parse error");
}

static void options_of_checkpoint_and_restore(void **state)
{
	(void)state;
	gives("creel checkpoint c1", "checkpoint c1\n");
	gives("creel checkpoint --image-path /i --work-path /w --parent-path ../p --leave-running "
	      "--tcp-established --tcp-skip-in-flight --link-remap --ext-unix-sk --shell-job "
	      "--lazy-pages --page-server 10.0.0.1:27 --file-locks --pre-dump --auto-dedup "
	      "--manage-cgroups-mode soft --empty-ns network --network-lock skip --status-fd 5 c1",
	      "checkpoint c1 image_path=/i work_path=/w parent_path=../p page_server=10.0.0.1 "
	      "port=27 manage_cgroups=2 network_lock=3 status_fd=5 tcp_established "
	      "tcp_skip_in_flight link_remap ext_unix_sk shell_job file_locks lazy_pages "
	      "auto_dedup leave_running pre_dump\n");
	gives("creel checkpoint --page-server [::1]:1 c1",
	      "checkpoint c1 page_server=::1 port=1\n");
	gives("creel restore --bundle /b --detach --pid-file /p --console-socket /s -no-subreaper "
	      "--no-pivot --image-path /i --work-path /w --tcp-established --tcp-close "
	      "--ext-unix-sk --shell-job --file-locks --manage-cgroups-mode ignore --lazy-pages "
	      "--empty-ns network --auto-dedup --lsm-profile a:b --lsm-mount-context c c1",
	      "restore image_path=/i work_path=/w lsm_profile=a:b lsm_mount_context=c "
	      "manage_cgroups=1 tcp_established tcp_close ext_unix_sk shell_job file_locks "
	      "lazy_pages auto_dedup\nrestore c1 bundle=/b console_socket=/s pid_file=/p no_pivot "
	      "no_subreaper detach\n");
	is_refused("creel restore --manage-cgroups-mode x c1", 1,
		   "Invalid manage-cgroups-mode value");
	is_refused("creel checkpoint --page-server ::1:1 c1", 1, "Use --page-server ADDRESS:PORT");
	is_refused("creel checkpoint --page-server []:1 c1", 1, "Use --page-server ADDRESS:PORT");
	is_refused("creel checkpoint --page-server a:0 c1", 1, "Invalid port number");
	is_refused("creel restore --empty-ns user c1", 1,
		   "namespace \\\"user\\\" is not supported");
}

static void limits_become_json(void **state)
{
	(void)state;
	gives("creel update c1", "update c1 resources={}\n");
	gives("creel update --blkio-weight 10 --cpu-burst 1 --cpu-idle 1 --cpu-period 2 "
	      "--cpu-quota -1 --cpu-rt-period 3 --cpu-rt-runtime 4 "
	      "--cpu-share 18446744073709551615 --cpuset-cpus 0-3,7 --cpuset-mems 0 "
	      "--memory 64M --memory-reservation 1.5g --memory-swap -1 --kernel-memory 1k "
	      "--kernel-memory-tcp 2k --pids-limit -1 "
	      "--l3-cache-schema L3:0=f --mem-bw-schema MB:0=70 c1",
	      "update c1 resources={\"blockIO\":{\"weight\":10},\"cpu\":{\"burst\":1,\"idle\":1,"
	      "\"period\":2,\"quota\":-1,\"realtimePeriod\":3,\"realtimeRuntime\":4,"
	      "\"shares\":18446744073709551615,\"cpus\":\"0-3,7\",\"mems\":\"0\"},\"memory\":{"
	      "\"limit\":67108864,\"reservation\":1610612736,\"swap\":-1,\"kernel\":1024,"
	      "\"kernelTCP\":2048},\"pids\":{\"limit\":-1}} l3_cache_schema=L3:0=f "
	      "mem_bw_schema=MB:0=70\n");
	gives("creel update c1 --memory 0 --pids-limit 5",
	      "update c1 resources={\"memory\":{\"limit\":0},\"pids\":{\"limit\":5}}\n");
	is_refused("creel update --memory x c1", 1,
		   "msg=\"invalid value for memory: invalid size: 'x'\"");
	is_refused("creel update --memory-swap -5 c1", 1,
		   "invalid value for memory-swap: invalid size: '-5'");
	is_refused("creel update --cpu-quota 1.5 c1", 1, "invalid value for cpu-quota: ");
	is_refused("creel update --cpu-period -1 c1", 1, "invalid value for cpu-period: ");
	is_refused("creel update --blkio-weight 65536 c1", 1, "invalid value for blkio-weight: ");
	is_refused("creel update -r /nonexistent c1", 1,
		   "msg=\"open /nonexistent: no such file or directory\"");
	is_refused("creel update -r / c1", 1, "read /: not a regular file");
}

static void the_environment_chooses_the_root(void **state)
{
	bool is_root = geteuid() == 0;

	(void)state;
	gives("creel state c1", "state c1\n");
	assert_string_equal(fake_root, "/run/creel");
	gives("/usr/sbin/runc state c1", "state c1\n");
	assert_string_equal(fake_root, "/run/runc");
	gives("creel --root /a//b/./../c/ state c1", "state c1\n");
	assert_string_equal(fake_root, "/a/c");
	gives("creel --root '' state c1", "state c1\n");
	assert_string_equal(fake_root, "/run/creel");
	call_environment.xdg_runtime_dir = "";
	gives("creel state c1", "state c1\n");
	assert_string_equal(fake_root, "/run/creel");
	call_environment.xdg_runtime_dir = "/nonexistent";
	call_environment.user = "root";
	gives("creel state c1", "state c1\n");
	assert_string_equal(fake_root, is_root ? "/run/creel" : "/nonexistent/creel");
}

static void the_environment_hands_sockets_over(void **state)
{
	char pid[16];

	(void)state;
	call_environment =
		(struct environment){.notify_socket = "/n", .listen_fds = "2", .listen_pid = "1"};
	gives("creel create c1", "create c1 notify_socket=/n\n");
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	call_environment.listen_pid = pid;
	gives("creel create c1", "create c1 notify_socket=/n listen_fds=2\n");
	call_environment = (struct environment){.notify_socket = ""};
	gives("creel create c1", "create c1\n");
}

static void only_commands_that_enter_a_container_are_protected_in_full(void **state)
{
	static const char *const entering[] = {"create c1", "run c1", "exec c1 id"};
	static const char *const others[] = {"start c1", "state c1", "delete c1", "kill c1",
					     "features"};
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(entering) / sizeof(entering[0]); i++) {
		fake_reset();
		(void)snprintf(line, sizeof(line), "creel --debug %s", entering[i]);
		(void)call_line(line);
		assert_int_equal(strncmp(fake_notes, "protect enters\n", 15), 0);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		fake_reset();
		(void)snprintf(line, sizeof(line), "creel %s", others[i]);
		(void)call_line(line);
		assert_int_equal(strncmp(fake_notes, "protect\n", 8), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(options_are_written_in_many_ways, reset),
		cmocka_unit_test_setup(switches_take_a_value_only_behind_an_equals_sign, reset),
		cmocka_unit_test_setup(options_may_follow_operands, reset),
		cmocka_unit_test_setup(exec_kill_and_ps_stop_at_the_id, reset),
		cmocka_unit_test_setup(every_option_reaches_its_place, reset),
		cmocka_unit_test_setup(what_engines_call_is_accepted, reset),
		cmocka_unit_test_setup(wrong_words_are_told_as_runc_tells_them, reset),
		cmocka_unit_test_setup(wrong_words_are_answered_with_what_may_be_meant, reset),
		cmocka_unit_test_setup(values_of_global_options_are_checked, reset),
		cmocka_unit_test_setup(signals_have_numbers_and_names, reset),
		cmocka_unit_test_setup(events_come_at_intervals, reset),
		cmocka_unit_test_setup(options_of_checkpoint_and_restore, reset),
		cmocka_unit_test_setup(limits_become_json, reset),
		cmocka_unit_test_setup(users_are_numbers, reset),
		cmocka_unit_test_setup(the_environment_chooses_the_root, reset),
		cmocka_unit_test_setup(the_environment_hands_sockets_over, reset),
		cmocka_unit_test_setup(only_commands_that_enter_a_container_are_protected_in_full,
				       reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

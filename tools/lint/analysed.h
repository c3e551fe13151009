/*
 * For gcc -fanalyzer, which sees one file at a time: these functions return −1 and nothing else. It
 * is included in front of every file but those with the functions themselves; otherwise every
 * output that is written on success only would look unset.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_sys(...) (err_sys(__VA_ARGS__), -1)
#define err_wrap(...) (err_wrap(__VA_ARGS__), -1)
#define err_in(...) (err_in(__VA_ARGS__), -1)
#define err_hint(...) (err_hint(__VA_ARGS__), -1)
#define json_fail(...) (json_fail(__VA_ARGS__), -1)
#define json_fail_here(...) (json_fail_here(__VA_ARGS__), -1)
#define json_fail_number(...) (json_fail_number(__VA_ARGS__), -1)
#define json_fail_syntax(...) (json_fail_syntax(__VA_ARGS__), -1)
#define json_fail_wanted(...) (json_fail_wanted(__VA_ARGS__), -1)

/*
 * Printing: see output.h.
 */
#include "cli/output.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "cli/error.h"

/* The key order is a promise: runc's, which scripts that read it without a JSON parser know. */
static void write_state(struct json_writer *w, const struct creel_state *state, const char *owner)
{
	json_write_object(w, NULL);
	json_write_string(w, "ociVersion", state->oci_version);
	json_write_string(w, "id", state->id);
	json_write_i64(w, "pid", state->pid);
	json_write_string(w, "status", creel_status_name(state->status));
	json_write_string(w, "bundle", state->bundle);
	json_write_string(w, "rootfs", state->rootfs);
	json_write_string(w, "created", state->created);
	if (state->annotation_count) {
		json_write_object(w, "annotations");
		for (size_t i = 0; i < state->annotation_count; i++)
			json_write_string(w, state->annotations[i].key,
					  state->annotations[i].value);
		json_write_end(w);
	}
	json_write_string(w, "owner", owner);
	json_write_end(w);
}

void output_add_state(struct str *text, const struct creel_state *state)
{
	struct json_writer w;

	json_write_init(&w, text, "  ");
	write_state(&w, state, "");
}

void output_add_json_list(struct str *text, const struct creel_state *states, size_t count)
{
	struct json_writer w;

	json_write_init(&w, text, NULL);
	if (count) {
		json_write_array(&w, NULL);
		for (size_t i = 0; i < count; i++)
			write_state(&w, &states[i], states[i].owner);
		json_write_end(&w);
	} else {
		json_write_null(&w, NULL);
	}
	str_add_char(text, '\n');
}

/* ---- the table: columns as Go's text/tabwriter lays them out --------------------------------- */

#define COLUMNS 6
#define COLUMN_MIN 12 /* with the gap */
#define COLUMN_GAP 3

static const char headers[COLUMNS][8] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};

struct row {
	const char *cell[COLUMNS];
	char pid[12];
};

static void fill_row(struct row *row, const struct creel_state *state)
{
	(void)snprintf(row->pid, sizeof(row->pid), "%d", (int)state->pid);
	row->cell[0] = state->id;
	row->cell[1] = row->pid;
	row->cell[2] = creel_status_name(state->status);
	row->cell[3] = state->bundle;
	row->cell[4] = state->created;
	row->cell[5] = state->owner;
}

/* In characters, of which UTF-8 may need several bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void add_row(struct str *text, const struct row *row, const size_t widths[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS - 1; i++) {
		str_add(text, row->cell[i]);
		for (size_t n = width_of(row->cell[i]); n < widths[i]; n++)
			str_add_char(text, ' ');
	}
	str_add(text, row->cell[COLUMNS - 1]);
	str_add_char(text, '\n');
}

void output_add_table(struct str *text, const struct creel_state *states, size_t count)
{
	size_t widths[COLUMNS];
	struct row row;

	for (size_t i = 0; i < COLUMNS; i++) {
		row.cell[i] = headers[i];
		widths[i] = COLUMN_MIN;
	}
	for (size_t n = 0; n < count; n++) {
		struct row measured;

		fill_row(&measured, &states[n]);
		for (size_t i = 0; i < COLUMNS; i++) {
			size_t width = width_of(measured.cell[i]) + COLUMN_GAP;

			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	add_row(text, &row, widths);
	for (size_t n = 0; n < count; n++) {
		fill_row(&row, &states[n]);
		add_row(text, &row, widths);
	}
}

/* ---- stdout and stderr ----------------------------------------------------------------------- */

static int write_out(const char *text, size_t length, struct creel_error *e)
{
	struct err err;

	return fd_write(STDOUT_FILENO, text, length, "to stdout", &err) ? cli_fail_base(e, &err)
									: 0;
}

int output_print(struct str *text, struct creel_error *e)
{
	struct err err;

	if (!str_end(text, &err))
		return cli_fail_base(e, &err);
	return write_out(text->text, text->length, e);
}

int output_print_text(const char *text, struct creel_error *e)
{
	return write_out(text, strlen(text), e);
}

void output_print_aside(struct str *text)
{
	struct err ignored;

	if (str_end(text, &ignored))
		(void)!fd_write(STDERR_FILENO, text->text, text->length, "to stderr", &ignored);
}

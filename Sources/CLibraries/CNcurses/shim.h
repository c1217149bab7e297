#ifndef GATEHOUSE_CNCURSES_SHIM_H
#define GATEHOUSE_CNCURSES_SHIM_H

/* The wide interface shows only if this is 1 inside the header. */
#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#define NCURSES_ENABLE_STDBOOL_H 1

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <term.h>
#include <wchar.h>

/* Globals and macros that Swift cannot import. */
static inline WINDOW *gh_stdscr(void) { return stdscr; }
static inline int gh_colors(void) { return COLORS; }
static inline int gh_color_pairs(void) { return COLOR_PAIRS; }
static inline unsigned int gh_attr_bold(void) { return A_BOLD; }
static inline unsigned int gh_attr_dim(void) { return A_DIM; }
static inline unsigned int gh_attr_reverse(void) { return A_REVERSE; }
static inline unsigned int gh_attr_underline(void) { return A_UNDERLINE; }

/* One cell: base character and marks; the pair goes through opts, so that pairs above 255 work. */
static inline int gh_put(int row, int column, const wchar_t *text, unsigned int attributes, int pair) {
    cchar_t cell;
    if (setcchar(&cell, text, (attr_t)attributes, 0, &pair) == ERR) { return ERR; }
    return mvadd_wch(row, column, &cell);
}

static inline char *gh_capability(const char *name) {
    char *text = tigetstr(name);
    return text == (char *)-1 ? NULL : text;
}

#endif

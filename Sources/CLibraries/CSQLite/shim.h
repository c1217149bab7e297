#ifndef GATEHOUSE_CSQLITE_SHIM_H
#define GATEHOUSE_CSQLITE_SHIM_H

#include <sqlite3.h>

/* sqlite3_db_config is variadic, which Swift cannot call. Both return an SQLite result code. */

/* Turns one of the boolean SQLITE_DBCONFIG_ settings on or off. */
static inline int gatehouse_sqlite_set(sqlite3 *db, int setting, int on) {
    return sqlite3_db_config(db, setting, on, (int *)0);
}

/* Reads one of the boolean SQLITE_DBCONFIG_ settings: 0 or 1, or -1 where this SQLite does not know it. */
static inline int gatehouse_sqlite_get(sqlite3 *db, int setting) {
    int now = -1;
    return sqlite3_db_config(db, setting, -1, &now) == SQLITE_OK ? now : -1;
}

/* Stops counting all memory under one lock; only before SQLite's first use. sqlite3_config is variadic too. */
static inline int gatehouse_sqlite_stop_counting_memory(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* SQLITE_TRANSIENT is a cast that Swift does not import: SQLite copies the bytes before these return. */
static inline int gatehouse_sqlite_bind_text(sqlite3_stmt *statement, int place, const void *bytes, int count) {
    return sqlite3_bind_text(statement, place, (const char *)bytes, count, SQLITE_TRANSIENT);
}

static inline int gatehouse_sqlite_bind_blob(sqlite3_stmt *statement, int place, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, place, bytes, count, SQLITE_TRANSIENT);
}

#endif

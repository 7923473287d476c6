/* A table of words and how often each was seen, and the channels to other nodes, for the two programs of the word count. */
#ifndef WORDS_H
#define WORDS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_WORD 255
#define BUFFER (64 * 1024) /* one call to the host moves this much */

struct word {
    uint32_t hash, letters, length; /* letters: where they begin in the table's block */
    uint64_t count;                 /* 0: an empty place */
};

struct words { /* open addressing; the letters are kept in one growing block */
    struct word *places;
    size_t size, used; /* size is a power of two */
    char *block;
    size_t block_size, block_used;
};

void words_make(struct words *table);
void words_add(struct words *table, const char *letters, size_t length, uint64_t count);

/* The full paths of a directory's entries, in byte order; *found is how many. None if there is no such directory. */
char **entries_of(const char *directory, size_t *found);

FILE *open_channel(const char *path, const char *mode);
void close_channel(FILE *file, const char *path); /* fails if not everything could be written */

void fail(const char *what, const char *name); /* says so on stderr and exits with 1 */

#endif

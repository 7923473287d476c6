#include "words.h"

#include <dirent.h>

void fail(const char *what, const char *name) {
    fprintf(stderr, "%s %s\n", what, name);
    exit(1);
}

static void *need(void *memory) {
    if (!memory) fail("out of", "memory");
    return memory;
}

/* FNV-1a. */
static uint32_t hash_of(const char *letters, size_t length) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)letters[i]) * 16777619u;
    return hash;
}

void words_make(struct words *table) {
    memset(table, 0, sizeof *table);
    table->size = 1 << 14;
    table->places = need(calloc(table->size, sizeof *table->places));
}

static struct word *words_find(struct words *table, const char *letters, size_t length, uint32_t hash) {
    size_t mask = table->size - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct word *place = &table->places[i];
        if (!place->count) return place;
        if (place->hash == hash && place->length == length && !memcmp(table->block + place->letters, letters, length)) return place;
    }
}

static void words_grow(struct words *table) {
    struct word *old = table->places;
    size_t size = table->size, mask = 2 * size - 1;
    table->size = 2 * size;
    table->places = need(calloc(table->size, sizeof *old));
    for (size_t i = 0; i < size; i++) {
        if (!old[i].count) continue;
        size_t to = old[i].hash & mask;
        while (table->places[to].count) to = (to + 1) & mask;
        table->places[to] = old[i];
    }
    free(old);
}

void words_add(struct words *table, const char *letters, size_t length, uint64_t count) {
    uint32_t hash = hash_of(letters, length);
    struct word *place = words_find(table, letters, length, hash);
    if (place->count) {
        place->count += count;
        return;
    }
    if (table->block_used + length > table->block_size) {
        table->block_size = 2 * table->block_size + BUFFER;
        table->block = need(realloc(table->block, table->block_size));
    }
    memcpy(table->block + table->block_used, letters, length);
    *place = (struct word){hash, (uint32_t)table->block_used, (uint32_t)length, count};
    table->block_used += length;
    if (++table->used * 2 > table->size) words_grow(table);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

char **entries_of(const char *directory, size_t *found) {
    char **names = NULL;
    *found = 0;
    DIR *open = opendir(directory);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        if (entry->d_name[0] == '.') continue;
        names = need(realloc(names, (*found + 1) * sizeof *names));
        char *path = names[(*found)++] = need(malloc(strlen(directory) + strlen(entry->d_name) + 2));
        sprintf(path, "%s/%s", directory, entry->d_name);
    }
    if (open) closedir(open);
    if (*found) qsort(names, *found, sizeof *names, by_name);
    return names;
}

FILE *open_channel(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (!file) fail("cannot open", path);
    setvbuf(file, need(malloc(BUFFER)), _IOFBF, BUFFER);
    return file;
}

void close_channel(FILE *file, const char *path) {
    int broken = ferror(file);
    if (fclose(file) || broken) fail("cannot write all of", path);
}

/* Adds up the counts that arrive on the channels under /dev/in. With a node connected under /dev/out the sums go there; without,
 * the most frequent words go to /dev/stdout, as many as the first argument says (0: all). */
#include "words.h"

static struct words table;

static void read_counts(const char *path) {
    FILE *input = open_channel(path, "r");
    char line[LONGEST_WORD + 32];
    while (fgets(line, sizeof line, input)) {
        char *word;
        unsigned long long count = strtoull(line, &word, 10);
        if (!count || *word++ != ' ') fail("not a count and a word in", path);
        words_add(&table, word, strcspn(word, "\n"), count);
    }
    if (ferror(input)) fail("cannot read", path);
    fclose(input);
}

static int by_count(const void *a, const void *b) {
    const struct word *one = a, *two = b;
    if (one->count != two->count) return one->count < two->count ? 1 : -1;
    size_t shorter = one->length < two->length ? one->length : two->length;
    int order = memcmp(table.block + one->letters, table.block + two->letters, shorter);
    return order ? order : (int)one->length - (int)two->length;
}

static void write_counts(FILE *out, size_t most) {
    for (size_t i = 0, written = 0; i < table.size && written < most; i++) {
        struct word *place = &table.places[i];
        if (!place->count) continue;
        fprintf(out, "%llu %.*s\n", (unsigned long long)place->count, (int)place->length, table.block + place->letters);
        written++;
    }
}

int main(int count, char **arguments) {
    size_t senders, receivers;
    words_make(&table);
    char **in = entries_of("/dev/in", &senders), **out = entries_of("/dev/out", &receivers);
    for (size_t i = 0; i < senders; i++) read_counts(in[i]);
    if (receivers) {
        FILE *next = open_channel(out[0], "w");
        write_counts(next, SIZE_MAX);
        close_channel(next, out[0]);
        return 0;
    }
    size_t most = count > 1 ? strtoull(arguments[1], NULL, 10) : 0;
    qsort(table.places, table.size, sizeof *table.places, by_count); /* empty places last */
    write_counts(stdout, most ? most : SIZE_MAX);
    close_channel(stdout, "/dev/stdout");
    return 0;
}

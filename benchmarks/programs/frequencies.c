/* Counts each word of the files that it is given, or of /dev/input/1, 2 ..., and sends the counts to whoever is connected, or
 * prints them. The table of words is the demo's (zerocloud/demo/guests). */
#include "words.h"

#include <dirent.h>

static struct words table;

static int count(const char *path) {
    static char buffer[1 << 16], word[LONGEST_WORD];
    FILE *input = fopen(path, "r");
    if (!input) return 0;
    setvbuf(input, NULL, _IONBF, 0);
    size_t length = 0, got;
    while ((got = fread(buffer, 1, sizeof buffer, input)))
        for (size_t at = 0; at < got; at++) {
            char letter = buffer[at] | 0x20;
            if (letter >= 'a' && letter <= 'z' && length < LONGEST_WORD) {
                word[length++] = letter;
            } else if (length) {
                words_add(&table, word, length, 1);
                length = 0;
            }
        }
    if (length) words_add(&table, word, length, 1);
    fclose(input);
    return 1;
}

int main(int arguments, char **paths) {
    char path[32];
    int number = 0;
    words_make(&table);
    for (int at = 1; at < arguments; at++) number += count(paths[at]);
    if (!number) do snprintf(path, sizeof path, "/dev/input/%d", ++number);
    while (count(path));

    size_t receivers = 0;
    DIR *connected = opendir("/dev/out");
    if (connected) closedir(connected);
    char **out = connected ? entries_of("/dev/out", &receivers) : NULL;
    FILE *to = receivers ? open_channel(out[0], "w") : stdout;
    for (size_t at = 0; at < table.size; at++) {
        struct word *place = &table.places[at];
        if (place->count)
            fprintf(to, "%llu %.*s\n", (unsigned long long)place->count, (int)place->length, table.block + place->letters);
    }
    return fclose(to) != 0;
}

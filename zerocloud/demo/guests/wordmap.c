/* Counts the words of /dev/stdin (runs of ASCII letters, in lower case) and gives each word's count to one of the nodes that
 * are connected under /dev/out: always the same one for the same word, whichever mapper saw it. */
#include "words.h"

static void count_words(FILE *input, struct words *table) {
    static char buffer[BUFFER];
    char word[LONGEST_WORD];
    size_t length = 0, got;
    while ((got = fread(buffer, 1, sizeof buffer, input))) {
        for (size_t i = 0; i < got; i++) {
            unsigned char letter = buffer[i] | 0x20;
            if (letter >= 'a' && letter <= 'z' && length < LONGEST_WORD) {
                word[length++] = letter;
            } else if (length) {
                words_add(table, word, length, 1);
                length = 0;
                if (letter >= 'a' && letter <= 'z') word[length++] = letter; /* a word too long goes on as the next one */
            }
        }
    }
    if (length) words_add(table, word, length, 1);
    if (ferror(input)) fail("cannot read", "/dev/stdin");
}

int main(void) {
    struct words table;
    words_make(&table);
    setvbuf(stdin, NULL, _IONBF, 0); /* fread of a whole buffer needs no second one */
    count_words(stdin, &table);

    size_t reducers;
    char **paths = entries_of("/dev/out", &reducers);
    if (!reducers) fail("nothing is connected under", "/dev/out");
    for (size_t mine = 0; mine < reducers; mine++) {
        FILE *out = open_channel(paths[mine], "w");
        for (size_t i = 0; i < table.size; i++) {
            struct word *place = &table.places[i];
            if (place->count && place->hash % reducers == mine)
                fprintf(out, "%llu %.*s\n", (unsigned long long)place->count, (int)place->length, table.block + place->letters);
        }
        close_channel(out, paths[mine]);
    }
    return 0;
}

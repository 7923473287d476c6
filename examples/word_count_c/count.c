/* Counts the words of /dev/stdin and deals them out to the nodes under /dev/out; with an argument, adds up what comes from those under
 * /dev/in, and writes all words with their counts. A word is a run of ASCII letters, taken as lower case, and of bytes above 127. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 16, LONGEST = 64, MOST = 64 };

struct word {
    struct word *next;
    unsigned long hash, count;
    char text[];
};
static struct word *table[SLOTS];

static void add(const char *text, size_t length, unsigned long count) {
    unsigned long hash = 5381;
    for (size_t at = 0; at < length; at++) hash = hash * 33 ^ (unsigned char)text[at];
    struct word **slot = &table[hash % SLOTS];
    for (struct word *one = *slot; one; one = one->next)
        if (one->hash == hash && !strncmp(one->text, text, length) && !one->text[length]) {
            one->count += count;
            return;
        }
    struct word *made = malloc(sizeof *made + length + 1);
    if (!made) exit(1);
    *made = (struct word){.next = *slot, .hash = hash, .count = count};
    memcpy(made->text, text, length);
    made->text[length] = 0;
    *slot = made;
}

static int peers(const char *folder, FILE **files, const char *mode) {
    int found = 0;
    char path[300];
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && found < MOST && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (!(files[found++] = fopen(path, mode))) exit(1);
    }
    return found;
}

static void count_words(FILE *input) {
    char word[LONGEST];
    size_t length = 0;
    for (int letter; (letter = getc(input)) != EOF;) {
        if (isalpha(letter) || letter > 127) {
            if (length < LONGEST) word[length++] = tolower(letter);
        } else if (length) {
            add(word, length, 1);
            length = 0;
        }
    }
    if (length) add(word, length, 1);
}

int main(int argc, char **argv) {
    FILE *files[MOST];
    char word[LONGEST + 1];
    unsigned long count;
    int nodes = 0;
    if (argc > 1) {
        nodes = peers("/dev/in", files, "r");
        for (int node = 0; node < nodes; node++)
            while (fscanf(files[node], "%lu %64s", &count, word) == 2) add(word, strlen(word), count);
        files[0] = stdout;
        nodes = 1;
    } else {
        count_words(stdin);
        nodes = peers("/dev/out", files, "w");
    }
    if (!nodes) return 1;
    for (int slot = 0; slot < SLOTS; slot++)
        for (struct word *one = table[slot]; one; one = one->next)
            fprintf(files[one->hash % nodes], "%lu %s\n", one->count, one->text);
    for (int node = 0; node < nodes; node++)
        if (fclose(files[node])) return 1;
    return 0;
}

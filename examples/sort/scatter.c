/* Gives each record of 100 bytes from /dev/stdin to one of the nodes connected under /dev/out, by the record's first two letters:
 * the nodes in the order of their names get ranges of equal size of what can be printed in ASCII. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD = 100, MOST = 64, ROOM = 1 << 18, FIRST = ' ', LETTERS = '~' - ' ' + 1 };
static char names[MOST][256], input[RECORD * 4096];
static char *waiting[MOST];
static size_t filled[MOST];

static int by_number(const void *a, const void *b) {
    const char *one = a, *two = b;
    size_t shorter = strlen(one), longer = strlen(two);
    return shorter != longer ? (shorter < longer ? -1 : 1) : strcmp(one, two);
}

static unsigned printable(unsigned char letter) {
    return letter < FIRST ? 0 : letter - FIRST < LETTERS ? letter - FIRST : LETTERS - 1;
}

int main(void) {
    int nodes = 0;
    struct dirent *entry;
    FILE *out[MOST];
    DIR *folder = opendir("/dev/out");
    while (folder && nodes < MOST && (entry = readdir(folder)))
        if (entry->d_name[0] != '.') snprintf(names[nodes++], sizeof names[0], "/dev/out/%s", entry->d_name);
    if (!nodes) return 1;
    qsort(names, nodes, sizeof names[0], by_number);
    for (int node = 0; node < nodes; node++) {
        out[node] = fopen(names[node], "w");
        waiting[node] = malloc(ROOM);
        if (!out[node] || !waiting[node]) return 1;
        setvbuf(out[node], NULL, _IONBF, 0);
    }
    size_t got;
    setvbuf(stdin, NULL, _IONBF, 0);
    while ((got = fread(input, RECORD, sizeof input / RECORD, stdin)) > 0)
        for (size_t at = 0; at < got; at++) {
            const unsigned char *record = (unsigned char *)input + at * RECORD;
            unsigned key = printable(record[0]) * LETTERS + printable(record[1]);
            unsigned node = key * nodes / (LETTERS * LETTERS);
            if (filled[node] + RECORD > ROOM) {
                if (fwrite(waiting[node], 1, filled[node], out[node]) != filled[node]) return 1;
                filled[node] = 0;
            }
            memcpy(waiting[node] + filled[node], record, RECORD);
            filled[node] += RECORD;
        }
    for (int node = 0; node < nodes; node++)
        if (fwrite(waiting[node], 1, filled[node], out[node]) != filled[node] || fclose(out[node])) return 1;
    return 0;
}

/* Counts words. As a node it reads /dev/input or /dev/input/1, 2 ... (or /dev/stdin), and sends the number to whoever is connected,
 * or prints it; as a native program it reads the files that it is given. */
#include <dirent.h>
#include <stdio.h>

static char buffer[1 << 16];
static unsigned long words;

static int count(const char *path) {
    FILE *input = fopen(path, "r");
    if (!input) return 0;
    setvbuf(input, NULL, _IONBF, 0);
    int inside = 0;
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, input)) > 0)
        for (size_t at = 0; at < got; at++) {
            int blank = buffer[at] == ' ' || (buffer[at] >= '\t' && buffer[at] <= '\r');
            words += inside & blank;
            inside = !blank;
        }
    words += inside;
    fclose(input);
    return 1;
}

static FILE *receiver(void) {
    char path[300];
    DIR *folder = opendir("/dev/out");
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "/dev/out/%s", entry->d_name);
            return fopen(path, "w");
        }
    return stdout;
}

int main(int arguments, char **paths) {
    char path[32];
    int number = 0;
    for (int at = 1; at < arguments; at++) number += count(paths[at]);
    if (!number) {
        do snprintf(path, sizeof path, "/dev/input/%d", ++number);
        while (count(path));
        if (number == 1) number += count("/dev/input") || count("/dev/stdin");
    }
    FILE *out = receiver();
    if (!out) return 1;
    fprintf(out, "%lu\n", words);
    return fclose(out) != 0;
}

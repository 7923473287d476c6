/* Greets each line. */

#include <stdio.h>

int main(void)
{
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL)
        printf("hello, %s", line);
    return 0;
}

/* One guest for many tests: the first argument says what to do. Exit code 0, or the line that failed. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) do { if (!(condition)) { fprintf(stderr, "%d: %s (%s)\n", __LINE__, #condition, strerror(errno)); exit(__LINE__ % 120 + 1); } } while (0)
#define FAILS(call, number) do { errno = 0; CHECK((call) == -1 && errno == (number)); } while (0)

extern char **environ;

static void show(int count, char **arguments)
{
    for (int i = 0; i < count; i++)
        printf("arg %s\n", arguments[i]);
    for (char **variable = environ; *variable; variable++)
        printf("env %s\n", *variable);
}

static void list(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    CHECK(directory);
    while ((entry = readdir(directory)))
        printf("%s%s", entry->d_name, entry->d_type == DT_DIR ? "/ " : " ");
    printf("\n");
    closedir(directory);
}

static void files(void)
{
    char text[64];
    struct stat status;
    FILE *file = fopen("/tmp.txt", "w+");
    CHECK(file && fprintf(file, "hello %d", 42) == 8);
    CHECK(!fseek(file, 6, SEEK_SET) && fgets(text, 64, file) && !strcmp(text, "42"));
    CHECK(!fclose(file));
    CHECK(!stat("/tmp.txt", &status) && status.st_size == 8 && S_ISREG(status.st_mode));
    CHECK(!truncate("/tmp.txt", 5) && !stat("/tmp.txt", &status) && status.st_size == 5);
    CHECK(!mkdir("/d", 0777) && !mkdir("/d/e", 0777));
    FAILS(mkdir("/d", 0777), EEXIST);
    CHECK(!rename("/tmp.txt", "/d/e/f") && !access("/d/e/f", R_OK));
    FAILS(access("/tmp.txt", F_OK), ENOENT);
    FAILS(rmdir("/d"), ENOTEMPTY);
    CHECK(!symlink("e/f", "/d/l") && !link("/d/e/f", "/d/h"));
    CHECK(!lstat("/d/l", &status) && S_ISLNK(status.st_mode));
    CHECK(!stat("/d/l", &status) && status.st_size == 5 && status.st_nlink == 2);
    CHECK(readlink("/d/l", text, 64) == 3);
    FAILS(open("/d/l", O_RDONLY | O_NOFOLLOW), ELOOP);
    FAILS(open("/d/e/f/x", O_RDONLY), ENOTDIR);
    FAILS(open("/d", O_WRONLY), EISDIR);
    int descriptor = open("/d/l", O_RDWR | O_APPEND);
    CHECK(descriptor > 3 && write(descriptor, "!", 1) == 1);
    CHECK(pread(descriptor, text, 64, 0) == 6 && !memcmp(text, "hello!", 6));
    struct timespec times[2] = {{1, 2}, {3, 4}};
    CHECK(!futimens(descriptor, times) && !fstat(descriptor, &status));
    CHECK(status.st_atim.tv_nsec == 2 && status.st_mtim.tv_sec == 3);
    CHECK(!posix_fallocate(descriptor, 0, 100) && lseek(descriptor, 0, SEEK_END) == 100);
    CHECK(!fsync(descriptor) && !close(descriptor));
    FAILS(close(descriptor), EBADF);
    CHECK(!unlink("/d/l") && !unlink("/d/h") && !unlink("/d/e/f") && !rmdir("/d/e") && !rmdir("/d"));
    FAILS(mkdir("/dev/x", 0777), EROFS);
    FAILS(unlink("/dev/stdin"), EROFS);
    FAILS(open("/dev/none", O_RDONLY), ENOENT);
    FAILS(open("/dev/stdin", O_WRONLY), EACCES);
    list("/");
    list("/dev");
}

static void channels(void)
{
    char text[64];
    struct stat status;
    FILE *file = fopen("/dev/in/a", "r");
    CHECK(file && fgets(text, 64, file) && !strcmp(text, "first\n"));
    CHECK(!fseek(file, -3, SEEK_END) && fgets(text, 64, file) && !strcmp(text, "nd\n"));
    fclose(file);
    file = fopen("/dev/out/b", "w");
    CHECK(file && fputs("written\n", file) >= 0 && !fclose(file));
    file = fopen("/dev/log", "a");
    CHECK(file && fputs("appended\n", file) >= 0 && !fclose(file));
    FAILS(open("/dev/log", O_WRONLY), EPERM);
    CHECK(!stat("/dev/in/a", &status) && status.st_size == 13 && S_ISREG(status.st_mode));
    FAILS(ftruncate(open("/dev/in/a", O_RDWR), 0), EBADF);
    FAILS(lseek(0, 0, SEEK_SET), ESPIPE);
    CHECK(isatty(1) == 0);
    while (fgets(text, 64, stdin))
        printf("< %s", text);
}

static void clocks(void)
{
    struct timespec now, pause = {0, 5000000};
    clock_gettime(CLOCK_REALTIME, &now);
    printf("%lld.%09ld ", (long long)now.tv_sec, now.tv_nsec);
    nanosleep(&pause, 0);
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%lld.%09ld ", (long long)now.tv_sec, now.tv_nsec);
    unsigned char bytes[8];
    CHECK(!getentropy(bytes, 8));
    for (int i = 0; i < 8; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static void polling(void)
{
    struct pollfd waiting[2] = {{0, POLLIN, 0}, {1, POLLOUT, 0}};
    CHECK(poll(waiting, 1, 10) == 0);
    CHECK(poll(waiting, 2, 1000) == 1 && waiting[1].revents & POLLOUT);
    CHECK(fcntl(0, F_SETFL, O_NONBLOCK) == 0);
    char byte;
    FAILS(read(0, &byte, 1), EAGAIN);
}

static void fill(void)
{
    char block[65536] = {0}, name[32];
    long written = 0, files = 0;
    FILE *file = fopen("/big", "w");
    setvbuf(file, 0, _IONBF, 0);
    while (fwrite(block, 1, sizeof block, file) == sizeof block)
        written += sizeof block;
    CHECK(errno == ENOSPC);
    char *volatile memory = malloc(4 << 20);
    CHECK(!memory);
    CHECK(!truncate("/big", 0));
    memory = malloc(4 << 20);
    CHECK(memory);
    memset(memory, 1, 4 << 20);
    for (;;) {
        snprintf(name, sizeof name, "/f%ld", files);
        int descriptor = open(name, O_CREAT | O_WRONLY, 0666);
        if (descriptor < 0)
            break;
        close(descriptor);
        files++;
    }
    CHECK(errno == ENOSPC);
    printf("%ld %ld\n", written >> 20, files);
}

static void reopen(void)
{
    char text[64];
    CHECK(freopen("/out.txt", "w", stdout) == stdout);
    printf("into a file");
    CHECK(!fclose(stdout));
    CHECK(freopen("/out.txt", "r", stdin) == stdin);
    CHECK(fgets(text, 64, stdin) && !strcmp(text, "into a file"));
    int descriptor = open("/dev/stdout", O_WRONLY);
    CHECK(descriptor > 2 && write(descriptor, text, 4) == 4);
}

static void copy(void)
{
    static char block[65536];
    ssize_t got;
    while ((got = read(0, block, sizeof block)) > 0)
        CHECK(write(1, block, got) == got);
    CHECK(got == 0);
}

__attribute__((noinline)) static int dive(int depth)
{
    volatile char here[64];
    here[0] = depth;
    return depth ? dive(depth - 1) + here[0] : 0;
}

__attribute__((noinline)) static void fall(void)
{
    __builtin_trap();
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";
    if (!strcmp(what, "show")) show(count, arguments);
    else if (!strcmp(what, "list")) for (int i = 2; i < count; i++) list(arguments[i]);
    else if (!strcmp(what, "files")) files();
    else if (!strcmp(what, "channels")) channels();
    else if (!strcmp(what, "clocks")) clocks();
    else if (!strcmp(what, "polling")) polling();
    else if (!strcmp(what, "fill")) fill();
    else if (!strcmp(what, "reopen")) reopen();
    else if (!strcmp(what, "copy")) copy();
    else if (!strcmp(what, "dive")) printf("%d\n", dive(1 << 30));
    else if (!strcmp(what, "fall")) fall();
    else if (!strcmp(what, "exit")) exit(atoi(arguments[2]));
    else return 119;
    return 0;
}

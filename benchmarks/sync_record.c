/* What a process writes below SYNC_ROOT and when it syncs, in order, into SYNC_TRACE: loaded with LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int trace = -1;
static char root[PATH_MAX];

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("SYNC_ROOT"), *to = getenv("SYNC_TRACE");
  if (!folder || !to) return;
  snprintf(root, sizeof root, "%s/", folder);
  trace = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ours(const char *path) { return trace >= 0 && !strncmp(path, root, strlen(root)); }

static int named(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = trace < 0 || fd == trace ? -1 : readlink(link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return ours(path);
}

/* A record: the act, then three lengths or places of 8 bytes (path, offset, data), then path and data. */
static void tell(char act, const char *path, uint64_t offset, const void *data, uint64_t size) {
  static ssize_t (*put)(int, const struct iovec *, int);
  if (!put) put = real("writev");
  uint64_t head[3] = {strlen(path), offset, size};
  struct iovec parts[4] = {{&act, 1}, {head, sizeof head}, {(void *)path, head[0]}, {(void *)data, size}};
  if (put(trace, parts, 4) != (ssize_t)(1 + sizeof head + head[0] + size)) abort();
}

#define WRITES(name, offset_type)                                                       \
  ssize_t name(int fd, const void *data, size_t size, offset_type offset) {             \
    ssize_t (*next)(int, const void *, size_t, offset_type) = real(#name);              \
    ssize_t done = next(fd, data, size, offset);                                        \
    char path[PATH_MAX];                                                                \
    if (done > 0 && named(fd, path)) tell('w', path, (uint64_t)offset, data, done);     \
    return done;                                                                        \
  }
WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
  ssize_t (*next)(int, const void *, size_t) = real("write");
  char path[PATH_MAX];
  int mine = named(fd, path);
  ssize_t done = next(fd, data, size);
  if (done > 0 && mine) tell('w', path, (uint64_t)(lseek(fd, 0, SEEK_CUR) - done), data, done);
  return done;
}

#define SYNCS(name)                                                                     \
  int name(int fd) {                                                                    \
    int (*next)(int) = real(#name);                                                     \
    char path[PATH_MAX];                                                                \
    if (named(fd, path)) tell('s', path, 0, "", 0);                                     \
    return next(fd);                                                                    \
  }
SYNCS(fsync)
SYNCS(fdatasync)

#define CUTS(name, offset_type)                                                         \
  int name(int fd, offset_type size) {                                                  \
    int (*next)(int, offset_type) = real(#name);                                        \
    char path[PATH_MAX];                                                                \
    if (named(fd, path)) tell('t', path, (uint64_t)size, "", 0);                        \
    return next(fd, size);                                                              \
  }
CUTS(ftruncate, off_t)
CUTS(ftruncate64, off64_t)

int unlink(const char *path) {
  int (*next)(const char *) = real("unlink");
  if (ours(path)) tell('u', path, 0, "", 0);
  return next(path);
}

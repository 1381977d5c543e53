/* Makes every flush of the disk take ten milliseconds more, as a slow disk does. Loaded by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void pause_10ms(void) {
  struct timespec pause = {0, 10 * 1000 * 1000};
  nanosleep(&pause, 0);
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  pause_10ms();
  return real(fd);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  pause_10ms();
  return real(fd);
}

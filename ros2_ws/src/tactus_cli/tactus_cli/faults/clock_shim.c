/* Loaded before the C library, it shifts the wall clock of one process by nanoseconds that another process writes into a small file,
 * named by TACTUS_CLOCK_OFFSET. The steady clock is untouched, and so is the machine's own. Waits until a time of day are shifted back,
 * because the kernel, which ends them, knows of no step. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_ns;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void find(void) {
  const char *path = getenv("TACTUS_CLOCK_OFFSET");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *offset_ns, PROT_READ, MAP_SHARED, file, 0);
  if (file >= 0) close(file);
  real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  if (page != MAP_FAILED) offset_ns = page;
}

int clock_gettime(clockid_t id, struct timespec *now) {
  int result = real_clock_gettime ? real_clock_gettime(id, now) : (int)syscall(SYS_clock_gettime, id, now);
  if (result == 0 && offset_ns && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
    int64_t shifted_ns = now->tv_nsec + *offset_ns % 1000000000;
    now->tv_sec += *offset_ns / 1000000000 + (shifted_ns >= 1000000000) - (shifted_ns < 0);
    now->tv_nsec = (shifted_ns + 1000000000) % 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec precise;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

/* Times of day lie after this second, times of the steady clock before it: a condition variable does not say which clock it goes by. */
#define YEAR_2000 946684800

static const struct timespec *real_time(const struct timespec *until, struct timespec *shifted) {
  if (!offset_ns || until->tv_sec < YEAR_2000) return until;
  int64_t nanoseconds = until->tv_nsec - *offset_ns % 1000000000;
  shifted->tv_sec = until->tv_sec - *offset_ns / 1000000000 + (nanoseconds >= 1000000000) - (nanoseconds < 0);
  shifted->tv_nsec = (nanoseconds + 1000000000) % 1000000000;
  return shifted;
}

/* Condition variables have an older version of the same name, which an unversioned look-up may find. */
static void *next(const char *name, const char *version) {
  void *found = version ? dlvsym(RTLD_NEXT, name, version) : NULL;
  return found ? found : dlsym(RTLD_NEXT, name);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  struct timespec shifted;
  if (!real) real = next("pthread_cond_timedwait", "GLIBC_2.3.2");
  return real(condition, mutex, real_time(until, &shifted));
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t id, const struct timespec *until) {
  static int (*real)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
  struct timespec shifted;
  if (!real) real = next("pthread_cond_clockwait", NULL);
  return real(condition, mutex, id, real_time(until, &shifted));
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
  static int (*real)(pthread_mutex_t *, const struct timespec *);
  struct timespec shifted;
  if (!real) real = next("pthread_mutex_timedlock", NULL);
  return real(mutex, real_time(until, &shifted));
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
  static int (*real)(sem_t *, const struct timespec *);
  struct timespec shifted;
  if (!real) real = next("sem_timedwait", NULL);
  return real(semaphore, real_time(until, &shifted));
}

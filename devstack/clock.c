/* Preloaded by devstack/clock.py: the wall clock is CLOCK_AHEAD seconds ahead, durations are real.
 *
 * libfaketime is not used: in a signal handler that interrupts epoll_wait it tells the real time, so
 * no time-out of PostgreSQL ever fires, and with the monotonic clock left real Python cannot sleep. */
#define _GNU_SOURCE
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t ahead;

__attribute__((constructor)) static void read_ahead(void) {
    const char *given = getenv("CLOCK_AHEAD");
    ahead = given ? atol(given) : 0;
}

static int is_wall_clock(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && is_wall_clock(clock))
        now->tv_sec += ahead;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &found);
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME_COARSE, &found);
    if (now)
        *now = found.tv_sec;
    return found.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
    clock_gettime(CLOCK_REALTIME, now);
    return base;
}

/* Who waits until an instant of this clock waits until that of the real one. */
int sem_clockwait(sem_t *, clockid_t, const struct timespec *);

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    struct timespec real = {until->tv_sec - ahead, until->tv_nsec};
    return sem_clockwait(semaphore, CLOCK_REALTIME, &real);
}

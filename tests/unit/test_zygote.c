/* The zygote's parts: messages with descriptors, its threads, its children. */
#include "../fake.h"

#include "base/children.h"
#include "worker/message.h"
#include "worker/threads.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

START_TEST(messages_carry_descriptors)
{
    struct ens_zygote_message out = {.type = ENS_Z_INIT, .n_slots = 3}, in;
    int sv[2], fd[ENS_MESSAGE_MAX_FDS], pair[2];
    char byte = 0;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
    ck_assert_int_eq(pipe(pair), 0);
    snprintf(out.dir, sizeof(out.dir), "/results/x");
    ck_assert_int_eq(ens_message_send(sv[0], &out, pair, 2, 0), 0);
    ck_assert_int_eq(ens_message_receive(sv[1], &in, fd, 0), 1);
    ck_assert_uint_eq(in.n_slots, 3);
    ck_assert_str_eq(in.dir, "/results/x");
    ck_assert(fcntl(fd[0], F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(write(fd[1], "!", 1), 1);
    ck_assert_int_eq(read(pair[0], &byte, 1), 1);
    ck_assert_int_eq(byte, '!');
    close(sv[0]);
    ck_assert_int_eq(ens_message_receive(sv[1], &in, fd, 0), 0);
    ck_assert_int_eq(fd[0], -1);
    close(sv[1]);
}
END_TEST

START_TEST(hundreds_of_messages_wait_in_the_socket)
{
    struct ens_zygote_message m = {.type = ENS_Z_EXITED};
    int sv[2], fd[ENS_MESSAGE_MAX_FDS];
    int n = 0;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
    while (n < 100000 &&
           ens_message_send(sv[0], &m, NULL, 0, MSG_DONTWAIT) == 0)
        n++;
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_ge(n, 100);
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(ens_message_receive(sv[1], &m, fd, MSG_DONTWAIT), 1);
    ck_assert_int_eq(ens_message_receive(sv[1], &m, fd, MSG_DONTWAIT), -1);
    close(sv[0]);
    close(sv[1]);
}
END_TEST

static void *wait_for_lock(void *lock)
{
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

START_TEST(second_thread_is_refused_and_libraries_named)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ens_error err;
    pthread_t thread;

    pthread_mutex_lock(&lock);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_lock, &lock), 0);
    ck_assert_int_eq(ens_threads_check(&err), ENS_EPROCESS);
    ck_assert_msg(strstr(err.text, "threads after opening") != NULL, "%s",
                  err.text);
    ck_assert_msg(strstr(err.text, "libuv") != NULL, "%s", err.text);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
}
END_TEST

/* A child with a child in a session of its own: handed up, and ended. */
START_TEST(children_of_children_end_too)
{
    _Atomic int *pid = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child;

    ck_assert(pid != MAP_FAILED);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    child = fork();
    if (child == 0) {
        if (fork() == 0) {
            setsid();
            atomic_store(pid, (int)getpid());
        }
        for (;;)
            pause();
    }
    while (atomic_load(pid) == 0)
        usleep(1000);
    ens_children_end(5);
    ck_assert_int_ne(kill(child, 0), 0);
    ck_assert_int_ne(kill(atomic_load(pid), 0), 0);
    munmap((void *)pid, 4096);
}
END_TEST

START_TEST(zygote_ends_on_garbage)
{
    struct ens_zygote_message m = {.type = ENS_Z_SPAWN, .slot = 9};
    int sv[2];
    pid_t pid;
    int status = -1;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
    pid = fork();
    if (pid == 0) {
        close(sv[0]);
        _exit(ens_zygote_main(sv[1], &fake_table));
    }
    close(sv[1]);
    ck_assert_int_eq(ens_message_send(sv[0], &m, NULL, 0, 0), 0);
    m.type = 99;
    ck_assert_int_eq(ens_message_send(sv[0], &m, NULL, 0, 0), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    close(sv[0]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("zygote");
    TCase *t = tcase_create("zygote");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, messages_carry_descriptors);
    tcase_add_test(t, hundreds_of_messages_wait_in_the_socket);
    tcase_add_test(t, second_thread_is_refused_and_libraries_named);
    tcase_add_test(t, children_of_children_end_too);
    tcase_add_test(t, zygote_ends_on_garbage);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}

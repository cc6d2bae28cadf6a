/* A run in a process of its own, so that a plugin that ends the process or hangs does not have the last word. */
#ifndef CLI_SUPERVISE_H
#define CLI_SUPERVISE_H

/* body(ctx) in a child process. There it returns what body does. The calling process does not come back: it ends with
 * that status, by the signal that ended the child, or with an error where the child ended before body returned, whatever
 * its status. SIGINT, SIGTERM and SIGUSR1 are passed on, each once, and the terminal's stop and continue; a child that has
 * not ended BIOFT_STOP_SECONDS (30) after that, or at a second SIGTERM, is killed. The child dies with its parent. */
int supervise(int (*body)(void *ctx), void *ctx);

#endif

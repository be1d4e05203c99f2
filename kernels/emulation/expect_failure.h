// Tests of what must end the program.
#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

static int failures = 0;

// Runs something in a process of its own. It must end the program with a message that contains a text.
template <class Body>
void expect_failure(const char* what, const char* message, Body body) {
    int ends[2];
    fflush(stdout);
    if (pipe(ends) != 0) abort();
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        body();
        _exit(0);
    }
    close(ends[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, (size_t)n);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    bool failed = !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (failed && text.find(message) != text.npos) return;
    printf("wrong: %s: expected \"%s\", got \"%s\"\n", what, message, text.c_str());
    failures++;
}

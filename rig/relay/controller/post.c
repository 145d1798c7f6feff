/* Answers from the thread to the loop. */
#include "controller_internal.h"
#include <stdlib.h>

static struct rig_request *take(struct rig_post *post)
{
    pthread_mutex_lock(post->lock);
    struct rig_request *request = post->first;
    if (request) {
        post->first = request->next;
        if (!post->first)
            post->last = NULL;
    }
    pthread_mutex_unlock(post->lock);
    return request;
}

static void on_wake(struct ev_loop *loop, ev_async *wake, int events)
{
    struct rig_post *post = wake->data;
    struct rig_request *request;
    bool closed = false;
    (void)loop, (void)events;
    while (!closed && (request = take(post))) {
        bool *before = post->closed; /* an answer may run the loop in its turn */
        post->closed = &closed;
        request->ask.answered(request->ask.ctx, &request->answer);
        free(request);
        if (!closed)
            post->closed = before;
        else if (before)
            *before = true;
    }
}

void rig_post_open(struct rig_post *post, struct ev_loop *loop, pthread_mutex_t *lock)
{
    *post = (struct rig_post){.loop = loop, .lock = lock};
    if (!loop)
        return;
    ev_async_init(&post->wake, on_wake);
    post->wake.data = post;
    ev_async_start(loop, &post->wake);
}

void rig_post_close(struct rig_post *post)
{
    struct rig_request *request;
    if (post->loop)
        ev_async_stop(post->loop, &post->wake);
    while ((request = take(post)))
        free(request);
    if (post->closed)
        *post->closed = true;
}

void rig_post_put(struct rig_post *post, struct rig_request *request)
{
    if (!post->loop || !request->ask.answered) {
        free(request);
        return;
    }
    request->next = NULL;
    if (post->last)
        post->last->next = request;
    else
        post->first = request;
    post->last = request;
    ev_async_send(post->loop, &post->wake);
}

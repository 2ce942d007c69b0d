/* A server that speaks the OpenAI chat interface: questions as many requests in flight, with time-outs and retries.
 *
 * Nothing from the server is trusted: answers are cut off at a size, redirections are not followed (so the key goes to
 * the given host alone), only http and https are spoken. */
#ifndef TTT_SOLVE_CHAT_SERVER_H
#define TTT_SOLVE_CHAT_SERVER_H

#include "solve/chat_question.h"
#include "solve/solve_settings.h"

typedef struct ttt_chat_server ttt_chat_server;

/* Is this source a server's address? */
bool ttt_is_chat_server(const char *source);

/* "http://localhost:8000/v1", or with /chat/completions behind it. The settings (proposer.*) are borrowed;
 * OPENAI_API_KEY in the environment is the key, if there is one. Nothing is sent yet. */
ttt_status ttt_chat_server_new(const char *url, const ttt_solve_settings *settings, uint64_t seed,
                               ttt_chat_server **server, ttt_error *err);
void ttt_chat_server_free(ttt_chat_server *server); /* NULL is fine */

/* Asks until all samples are answered or lost, the callback has enough, or the time is up. Which model: proposer.model,
 * or the first that the server lists (it is asked once). A request that fails in a way that may pass (no connection,
 * 408, 429, 5xx, an answer that cannot be read) is sent again after a while that doubles, or that the server names. One
 * that used up its retries is a lost sample, and the end when nothing was answered since it began, or when the server
 * refused it. TTT_ERROR_CANCELLED: the stop flag. TTT_ERROR_IO: the server gave up on us, as above; answers may have
 * come all the same. Time that is up is no error when something was answered. */
ttt_status ttt_chat_server_ask(ttt_chat_server *server, const ttt_chat_question *question, ttt_error *err);

/* What servers answer, read: the text of a chat completion, the first model of a list; fresh memory (ttt_free). */
ttt_status ttt_chat_read_completion(const char *body, size_t bytes, char **text, size_t *length, ttt_error *err);
ttt_status ttt_chat_read_models(const char *body, size_t bytes, char **text, size_t *length, ttt_error *err);

#endif

/* `ttt model merge`; argv[0] is the word "merge". Returns a ttt_exit. */
#ifndef TTT_CLI_MODEL_MERGE_H
#define TTT_CLI_MODEL_MERGE_H

int ttt_model_merge(int argc, char **argv);

#endif

/* The commands of `ttt model`; each has model_<name>.c and a line in the table of model.c. */
#ifndef TTT_CLI_MODEL_H
#define TTT_CLI_MODEL_H

int ttt_command_model_info(int argc, char **argv);
int ttt_command_model_convert(int argc, char **argv);
int ttt_command_model_merge(int argc, char **argv);

#endif

# raised: SyntaxError
Sure! Here is the program you asked for: 🙂

# raised: neither transform nor main
transform = 5

"""A real Milvus server on this machine, to test and measure on; nobody else can reach it."""

int smoothcore_probe(void);
int main(void) { return smoothcore_probe(); }

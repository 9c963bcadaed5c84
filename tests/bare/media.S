/* The test card in memory: media_0 is the manifest, media_1 and so on the files in the order of rig_testcard. */
    .section .media, "a"
    .macro file name
    .balign 4
    .global media_\@
media_\@:
    .incbin "\name"
    .global media_end_\@
media_end_\@:
    .endm
    file "testcard.ismc"
    file "testcard_64.ismv"
    file "testcard_100.ismv"
    file "testcard_150.ismv"
    file "testcard_256.ismv"
    file "testcard_eng.isma"
    file "testcard_fra.isma"

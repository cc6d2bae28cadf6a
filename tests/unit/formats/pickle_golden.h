/* One dict pickled by Python 2 and by Python 3; written by tests/golden/make_pickle.py. */
static const char python2[246] =
      "\200\002}q\001(U\013batch_labelq\002U\003oneq\003U\006labelsq\004]q\005(K\007M,\001K\000"
      "K\011eU\004dataq\006cnumpy.core.multiarray\012_reconstruct\012cnumpy\012ndarray\012K\000"
      "\205U\001b\207R(K\001(M\004\000M\006\000tcnumpy\012dtype\012U\002u1K\000K\001\207R(K\003"
      "U\001|NNNJ\377\377\377\377J\377\377\377\377K\000tb\211U\030\000\012\024\036(2<FPZdnx\202"
      "\214\226\240\252\264\276\310\322\334\346q\007tbU\005namesq\010]q\011(U\001aq\012U\002"
      "bcq\013U\003d\303\251q\014U\001aq\015eu.";
static const char python3[296] =
      "\200\003}q\000(X\013\000\000\000batch_labelq\001X\003\000\000\000oneq\002X\006\000\000"
      "\000labelsq\003]q\004(K\007M,\001K\000K\011eX\004\000\000\000dataq\005cnumpy.core.mul"
      "tiarray\012_reconstruct\012q\006cnumpy\012ndarray\012q\007K\000\205q\010C\001bq\011\207"
      "q\012Rq\013(K\001K\004K\006\206q\014cnumpy\012dtype\012q\015X\002\000\000\000u1q\016\211"
      "\210\207q\017Rq\020(K\003X\001\000\000\000|q\021NNNJ\377\377\377\377J\377\377\377\377"
      "K\000tq\022b\211C\030\000\012\024\036(2<FPZdnx\202\214\226\240\252\264\276\310\322\334"
      "\346q\023tq\024bX\005\000\000\000namesq\025]q\026(X\001\000\000\000aq\027X\002\000\000"
      "\000bcq\030X\003\000\000\000d\303\251q\031h\027eu.";

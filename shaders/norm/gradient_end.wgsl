#if ONCE == 0
    }
  }
#endif

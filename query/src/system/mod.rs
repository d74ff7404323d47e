//! System catalogs and `information_schema`: tables that clients ask about.

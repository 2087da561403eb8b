"""A seed in, an invented bilingual shop with shoppers whose right answers are known out."""

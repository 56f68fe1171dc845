"""Vectors: texts placed by spelling or meaning, and all pairs of them that lie near each other."""

from holdfast.vectors.cells import Recall, near_pairs_approximately
from holdfast.vectors.encoder import Dense, Encoder, Pairs, Vectors
from holdfast.vectors.joins import cross_pairs, near_pairs
from holdfast.vectors.local import LocalEncoder
from holdfast.vectors.named import encoder_named
from holdfast.vectors.ngrams import NGRAMS
from holdfast.vectors.wordllama import WordLlama

__all__ = [
    "NGRAMS",
    "Dense",
    "Encoder",
    "LocalEncoder",
    "Pairs",
    "Recall",
    "Vectors",
    "WordLlama",
    "cross_pairs",
    "encoder_named",
    "near_pairs",
    "near_pairs_approximately",
]

"""Faces seen in photos and the persons they belong to, what staff decided about them, and what visitors did."""

from faces.models.audit import AuditEntry
from faces.models.decisions import Decision, DecisionFace, DecisionQuerySet
from faces.models.people import (
    Centroid,
    Embedding,
    Face,
    FaceAlias,
    FaceQuerySet,
    ImageFace,
    L2Norm,
    NextEmbedding,
    unit_length,
)
from faces.models.visitors import Consent, Erased, Evidence, Visitor

__all__ = [
    "AuditEntry",
    "Centroid",
    "Consent",
    "Decision",
    "DecisionFace",
    "DecisionQuerySet",
    "Embedding",
    "Erased",
    "Evidence",
    "Face",
    "FaceAlias",
    "FaceQuerySet",
    "ImageFace",
    "L2Norm",
    "NextEmbedding",
    "Visitor",
    "unit_length",
]

"""The report: one page on which every change of a document is seen, with its rule and its reason."""

from shanben.report.compare import Comparison, Entry, Piece, compare
from shanben.report.index import INDEX, is_ours, write_index
from shanben.report.page import Report, page, report_name

__all__ = [
    "INDEX",
    "Comparison",
    "Entry",
    "Piece",
    "Report",
    "compare",
    "is_ours",
    "page",
    "report_name",
    "write_index",
]

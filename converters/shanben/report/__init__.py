"""The report: one page on which every change of a document is seen, with its rule and its reason."""

from shanben.report.compare import Comparison, Entry, Piece, compare
from shanben.report.index import INDEX, is_ours, write_index
from shanben.report.page import Report, Room, page, page_data, report_name

__all__ = [
    "INDEX",
    "Comparison",
    "Entry",
    "Piece",
    "Report",
    "Room",
    "compare",
    "is_ours",
    "page",
    "page_data",
    "report_name",
    "write_index",
]

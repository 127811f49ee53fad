// Behavior of the page's own arithmetic: turning, hanging, windows, parcels. Run by `npm test`.
import "./hanging";
import "./lay";
import "./others";
import "./position";
import "./voi";
